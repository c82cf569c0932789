import type { UUID } from 'node:crypto'

/** A UUID as PostgreSQL writes them, in lower case. */
export const uuidPattern = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
const form = new RegExp(uuidPattern)

/** PostgreSQL's greatest `integer`. A greater number would fail the statement, and all lookups that share it. */
export const maxInteger = 2 ** 31 - 1

/** Whether it is one of `uuidPattern`. */
export const isUuid = (value: unknown): value is UUID => typeof value === 'string' && form.test(value)

export const uuidBytes = (uuid: string): Buffer => Buffer.from(uuid.replaceAll('-', ''), 'hex')

export const toUuid = (bytes: Buffer): string =>
  bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

/** 52 random bits of a version 4 UUID: a live session is taken for one of a million others once in 4 billion times. */
export const sessionKey = (id: string): number =>
  Number.parseInt(id.slice(0, 8) + id.slice(9, 13) + id.slice(15, 16), 16)
