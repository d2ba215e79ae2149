import { digestOf } from '../digest.ts'
import { textsOf } from './check-job.ts'
import { promptsIn } from './check-expressions.ts'
import type { JobDefinition, StepDefinition } from './job.ts'
import type { JobFile } from './job-file.ts'

/** A checked job as a run pins it: with the prompts that it refers to, and a digest over all of it. */
export function toJob(name: string, file: JobFile, timezone: string, prompts: Readonly<Record<string, string>>): JobDefinition {
  const referred = new Set(textsOf(file.steps, []).flatMap(({ text }) => promptsIn(text)))
  const definition: Omit<JobDefinition, 'digest'> = {
    name,
    summary: file.summary,
    schedules: file.on.schedule.map((schedule) => ({ cron: schedule.cron, timezone: schedule.timezone ?? timezone })),
    lane: file.lane,
    label: { level: file.label, integrity: 'trusted', lanes: [file.lane] },
    readsUpTo: file.reads_up_to,
    timeoutMs: file.timeout,
    tries: file.retry.tries,
    overlap: file.overlap,
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
