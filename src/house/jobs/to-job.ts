import type { Label } from '../../labels/index.ts'
import { digestOf } from '../digest.ts'
import { textsOf } from './check-job.ts'
import { promptsIn } from './check-expressions.ts'
import type { JobDefinition, StepDefinition } from './job.ts'
import type { JobFile } from './job-file.ts'
import { startLabel } from './start-label.ts'

/** A checked job as a run pins it: with the prompts that it refers to, and a digest over all of it. */
export function toJob(
  name: string, file: JobFile, timezone: string, prompts: Readonly<Record<string, string>>, webhooks: ReadonlyMap<string, { readonly label: Label }>,
): JobDefinition {
  const referred = new Set(textsOf(file.steps, []).flatMap(({ text }) => promptsIn(text)))
  const definition: Omit<JobDefinition, 'digest'> = {
    name,
    summary: file.summary,
    schedules: file.on.schedule.map((schedule) => ({ cron: schedule.cron, timezone: schedule.timezone ?? timezone })),
    ...(file.on.webhook !== undefined && { webhook: { name: file.on.webhook, events: file.on.events } }),
    ...(file.on.alerts && { alerts: true as const }),
    lane: file.lane,
    label: startLabel(file, webhooks),
    readsUpTo: file.reads_up_to,
    timeoutMs: file.timeout,
    tries: file.retry.tries,
    overlap: file.overlap ?? (file.on.webhook === undefined ? 'skip' : 'queue'),
    missed: file.missed,
    graceMs: file.grace,
    ...(file.idempotency_key !== undefined && { idempotencyKey: file.idempotency_key }),
    ...(file.since !== undefined && { since: new Date(file.since).toISOString() }),
    steps: file.steps.map((step): StepDefinition => ({
      id: step.id,
      uses: step.uses,
      with: step.with,
      ...(step.if !== undefined && { if: step.if }),
      timeoutMs: Math.min(step.timeout, file.timeout),
      ...(step.fallback && { fallback: step.fallback }),
    })),
    prompts: Object.fromEntries([...referred].sort().filter((prompt) => Object.hasOwn(prompts, prompt)).map((prompt) => [prompt, prompts[prompt]!])),
  }
  return { ...definition, digest: digestOf(definition) }
}
