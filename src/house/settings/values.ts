import { z } from 'zod'
import type { CloudClearance, Level } from '../../labels/index.ts'
import { parseDuration } from '../duration.ts'

/** A name that can stand in a URL, a column and a file: small letters, digits, `_` and `-`. */
export const nameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,62}$/, 'a name has small letters, digits, _ and -, and begins with a letter')

/** The kind of an act: names with dots between them. */
export const kindSchema = z.string().regex(/^[a-z][a-z0-9_-]{0,30}(?:\.[a-z][a-z0-9_-]{0,30})*$/, 'a kind has small letters, digits, _ and -, with dots between its parts')

/** Kept in milliseconds. */
export const durationSchema = z.string().transform((text, context) => {
  try {
    return parseDuration(text)
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message, params: { instead: 'write a number and a unit, e.g. 10s, 5m, 72h or 90d' } })
    return z.NEVER
  }
})

export const levelSchema = z.enum(['P0', 'P1', 'P2', 'P3']).transform((word) => Number(word[1]) as Level)

const clearances: Readonly<Record<string, CloudClearance>> = { none: -1, P0: 0, P1: 1 }

/** No P2: whoever edits this file must not be able to say that. */
export const clearanceSchema = z.string().transform((word, context): CloudClearance => {
  if (Object.hasOwn(clearances, word)) return clearances[word]!
  context.addIssue(word === 'P2'
    ? { code: 'custom', message: 'P2 internal reaches a cloud model only by an act that you sign, for one provider', params: { instead: 'write P1, and run `castellan lane clear LANE --upstream NAME --level P2`' } }
    : { code: 'custom', message: `cloud_clearance cannot be ${JSON.stringify(word)}`, params: { instead: `one of ${Object.keys(clearances).join(', ')}` } })
  return z.NEVER
})

/** As written: relative to the house, or absolute. Resolved and checked later, with the file system. */
export const pathSchema = z.string().min(1).max(1000).regex(/^[^\0]*$/, 'a path cannot contain a null byte')

/** The name of a file in `$CASTELLAN_HOME/secrets`. The value itself never stands in the house. */
export const secretNameSchema = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/, 'the name of a secret has letters, digits, _ . and -')
/** By this name the releaser is given the key that seals the audit; whoever else named it would be handed that key. */
const sealingKey = 'sealing_key'
export const secretSchema = z.strictObject({
  secret: secretNameSchema.refine((name) => name !== sealingKey, { error: `${sealingKey} is the key that seals the audit`, params: { instead: 'give this secret another name' } }),
})

export const lanesSchema = z.array(nameSchema).max(20)

/** A text of an operator, in which `*` stands for any characters. */
export const patternSchema = z.string().min(1).max(300)

/** A name as certificates have it. What else a URL takes for one (`$`, `;`, braces, quotes) would say something of its own in the file or the command that it is printed into. */
export const isHostName = (text: string): boolean => /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text)
