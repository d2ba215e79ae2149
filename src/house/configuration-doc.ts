import { z } from 'zod'
import { agentSchema } from './agents/agent-file.ts'
import { jobSchema } from './jobs/job-file.ts'
import { dictionarySchema } from './dictionary-file.ts'
import { labelsSchema } from './labels-file.ts'
import { unwrap, writtenDefault } from './schema-tree.ts'
import { castellanSchema } from './settings/castellan-file.ts'
import { secretSchema } from './settings/values.ts'

type Schema = z.core.$ZodType

const introduction = `# Configuration

<!-- Generated from the schemas in src/house by \`node scripts/configuration-doc.ts --write\`. Do not edit. -->

The house is a folder of text that you own. It is read as a whole: every problem of every file is reported at once, with file, line and
column, and a house with an error changes nothing: the last good one goes on. An unknown key is an error.

Durations are a number and a unit: \`250ms\`, \`10s\`, \`5m\`, \`72h\`, \`90d\`. Levels are \`P0\` public, \`P1\` low, \`P2\` internal, \`P3\` local only.
Secrets never stand in the house: \`{ secret: NAME }\` names the file \`$CASTELLAN_HOME/secrets/NAME\` (mode 0600).
\`castellan config explain KEY\` says what a key of castellan.yaml is, where its value comes from and what it means.
`

const expressions = `## Expressions

Values under \`with\`, and \`if\` and \`idempotency_key\`, may hold expressions in Liquid: \`{{ steps.mail.output.count }}\`. A value that is exactly one
expression keeps its type (a list stays a list); anything else becomes text. There is no file access; a variable that does not exist is an error.

| root | what it is |
|---|---|
| \`steps.ID.output\` | what an earlier step gave; null when it was skipped |
| \`steps.ID.state\` | \`succeeded\` or \`skipped\` |
| \`input\` | what the run was started with; where a webhook started it, \`input.event\` has \`id\`, \`webhook\`, \`event_id\`, \`type\` and \`received_at\`, and \`webhook.read\` gives its content |
| \`slot\` | the moment the run answers for, ISO 8601 in UTC |
| \`now\` | the moment the run was taken up |
| \`job.name\`, \`job.summary\`, \`run.id\`, \`run.lane\` | which job and run this is |
| \`prompts.NAME\` | the text of prompts/NAME.liquid |

Besides the filters of Liquid there are three: \`items | lookup: messages, "id"\` gives for each item the message with the same id, and
\`messages | documents: "subject", "text"\` makes of each what \`text.summarize\` and \`model.ask\` take; \`subject | plain\` shows a stranger's words without markup, links or invisible characters. Dates are in UTC unless the filter names a
zone: \`{{ slot | date: "%Y-%m-%d", "Europe/Berlin" }}\`.

\`if\` does not hold for false, nothing, 0, an empty text or list, and for the output of a step that was skipped. In \`idempotency_key\` only
\`slot\`, \`input\` and \`job\` are known.
`

/** docs/configuration.md: every key of every file of the house, out of the schemas that check them. */
export function configurationDoc(): string {
  return [
    introduction,
    section('castellan.yaml', 'Every key has a default; an empty file is a house.', castellanSchema),
    section('labels.yaml', 'A list of rules: the label that things have when they come in.', (labelsSchema as z.ZodArray).element as Schema),
    section('dictionary.yaml', 'Words that no cloud model is told, whatever their case or spelling. An entry is a word, or `{ word, also: [...] }`.', dictionarySchema),
    section('jobs/NAME.yaml', 'One job a file. The name of the file is its name.', jobSchema),
    expressions,
    section('agents/NAME.yaml', 'One agent a file.', agentSchema),
    '## prompts/NAME.liquid\n\nTexts that jobs refer to as `{{ prompts.NAME }}`, in Liquid. A run pins those that its job refers to.\n',
  ].join('\n')
}

function section(title: string, about: string, schema: Schema): string {
  const rows = rowsOf(schema, '').map(({ key, standard, about: text }) => `| \`${key}\` | ${standard} | ${text} |`)
  return `## ${title}\n\n${about}\n\n| key | default | meaning |\n|---|---|---|\n${rows.join('\n')}\n`
}

interface Row {
  readonly key: string
  readonly standard: string
  readonly about: string
}

function rowsOf(schema: Schema, prefix: string): Row[] {
  const { inner } = unwrap(schema)
  if (inner === secretSchema) return []
  if (inner instanceof z.ZodObject) {
    return Object.entries(inner.shape as Record<string, Schema>).flatMap(([name, child]) => {
      const key = dotted(prefix, name)
      const below = rowsOf(child, key)
      return [rowOf(child, key, below.length > 0), ...below]
    })
  }
  if (inner instanceof z.ZodRecord && prefix !== '') return rowsOf(inner.valueType as Schema, dotted(prefix, 'NAME'))
  if (inner instanceof z.ZodArray) return rowsOf(inner.element as Schema, `${prefix}[]`)
  if (inner instanceof z.ZodUnion) return withoutRepeats(inner.options.flatMap((option) => rowsOf(option as Schema, prefix)))
  return []
}

/** What the branches of a union have in common is said once. */
function withoutRepeats(rows: readonly Row[]): Row[] {
  return rows.filter(({ key, about }, index) => rows.findIndex((other) => other.key === key && other.about === about) === index)
}

function dotted(prefix: string, key: string): string {
  return prefix === '' ? key : `${prefix}.${key}`
}

function rowOf(schema: Schema, key: string, isGroup: boolean): Row {
  const { inner, description, fallback, optional } = unwrap(schema)
  const standard = fallback === undefined ? (optional || isGroup ? '' : 'required') : isGroup && isEmpty(fallback) ? '' : `\`${JSON.stringify(writtenDefault(schema)).replace(/^"(.*)"$/, '$1')}\``
  const values = inner instanceof z.ZodEnum ? ` One of ${inner.options.map((option) => `\`${String(option)}\``).join(', ')}.` : ''
  return { key, standard, about: `${description ?? ''}${values}`.replaceAll('|', '\\|') }
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
