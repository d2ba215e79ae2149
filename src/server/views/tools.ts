import { z } from 'zod'
import { errorView, labelView } from './label.ts'
import { runState } from './runs.ts'

export const toolView = z
  .strictObject({
    name: z.string(),
    summary: z.string(),
    effect: z.enum(['read', 'write', 'propose']),
    fallback: z.string().nullable(),
    input: z.record(z.string(), z.unknown()).describe('JSON Schema.'),
    output: z.record(z.string(), z.unknown()).describe('JSON Schema.'),
  })
  .meta({ id: 'Tool' })
export type ToolView = z.output<typeof toolView>

export const toolRunView = z
  .strictObject({
    run: z.uuid(),
    tool: z.string(),
    state: runState,
    output: z.unknown(),
    withheld: z.boolean().describe('True: the output is P3 local only and was left out; the run shows it with `reveal=1`.'),
    label: labelView,
    made_without_model: z.boolean(),
    error: errorView.nullable(),
  })
  .meta({ id: 'ToolRun' })
export type ToolRunView = z.output<typeof toolRunView>
