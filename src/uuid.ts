import type { UUID } from 'node:crypto'

const form = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Whether it is a UUID as PostgreSQL writes them, in lower case. */
export const isUuid = (value: unknown): value is UUID => typeof value === 'string' && form.test(value)
