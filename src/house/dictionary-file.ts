import { z } from 'zod'
import type { DictionaryEntry } from '../labels/index.ts'
import type { Problem } from './problem.ts'
import type { YamlSource } from './yaml-source.ts'

const word = z
  .string()
  .max(200)
  .regex(/[\p{L}\p{N}]{2}/u, 'a word of the dictionary has at least two letters or digits together')
const entry = z.union([word, z.strictObject({ word: word.describe('As it is written.'), also: z.array(word).max(50).describe('Other words for the same, e.g. a short name.') })])
const list = (of: string) => z.array(entry).max(20_000).prefault([]).describe(of)

/** dictionary.yaml: words that no cloud model is to read. */
export const dictionarySchema = z.strictObject({
  names: list('People. Taken out as [[NAME_1]].'),
  clients: list('Clients and companies. Taken out as [[CLIENT_1]].'),
  projects: list('Projects and products. Taken out as [[PROJECT_1]].'),
  terms: list('Anything else. Taken out as [[TERM_1]].'),
})

type DictionaryFile = z.output<typeof dictionarySchema>

const kindOf = { names: 'name', clients: 'client', projects: 'project', terms: 'term' } as const
const sections = Object.keys(kindOf) as (keyof typeof kindOf)[]

/** Words of which `[[MAIL_ADDRESS_1]]` and the like are made: to take them out again would never end. */
const ofPlaceholders = new Set('name client project term text mail address phone number ip mac iban payment card date of birth tax id national social security insurance health private key token password secret'.split(' '))

/** Words that stand there twice: the first says what they are. */
export function checkDictionary(file: DictionaryFile, source: YamlSource): Problem[] {
  const seen = new Map<string, string>()
  return sections.flatMap((section) => file[section].flatMap((entry, at) => wordsOf(entry).flatMap((word): Problem[] => {
    const before = seen.get(word.toLowerCase())
    seen.set(word.toLowerCase(), before ?? section)
    if (word.toLowerCase().split(/[^\p{L}\p{N}]+/u).every((part) => ofPlaceholders.has(part))) return [source.problem([section, at], `${word} is a word of what stands for others, such as [[CLIENT_1]]`, 'write the full name')]
    return before === undefined ? [] : [source.problem([section, at], `${word} stands under ${before} already`, 'remove it here or there')]
  })))
}

export function toDictionary(file: DictionaryFile): DictionaryEntry[] {
  return sections.flatMap((section) => file[section].map((entry): DictionaryEntry => ({ kind: kindOf[section], words: wordsOf(entry) })))
}

function wordsOf(entry: DictionaryFile['names'][number]): string[] {
  return typeof entry === 'string' ? [entry] : [entry.word, ...entry.also]
}
