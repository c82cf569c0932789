import { hash, randomBytes } from 'node:crypto'

/** What every secret begins with, so that scanners of code and logs know one when they see it. */
export const secretPrefix = 'gatehouse_'

/** 256 random bits: nobody guesses them, so a plain digest keeps them as safe as a slow one would (ASVS 6.5.2). */
export const generateSecret = (): string => secretPrefix + randomBytes(32).toString('base64url')

export const digestSecret = (secret: string): string => hash('sha256', secret, 'base64url')
