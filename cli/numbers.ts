import { InvalidArgumentError } from 'commander'

/** Reads how many rows are wanted. */
export function readCount(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number.')
}
