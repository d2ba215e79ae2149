import { InvalidArgumentError } from 'commander'

/** `--limit 20`. */
export function wholeNumber(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 0) throw new InvalidArgumentError('it must be a whole number.')
  return number
}

/** `--input '{"since":"24h"}'`. */
export function parseInput(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new InvalidArgumentError(`it must be JSON: ${(error as Error).message}.`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new InvalidArgumentError(`it must be a JSON object, e.g. '{"since":"24h"}'.`)
  return value as Record<string, unknown>
}
