import { cloudClearance, describeLevel, type Lanes } from '../../labels/index.ts'
import { scheduleProblem } from '../cron.ts'
import { expressionRoots } from '../expression.ts'
import type { Problem } from '../problem.ts'
import { didYouMean } from '../suggest.ts'
import type { ToolCatalog } from '../tool-catalog.ts'
import type { Path, YamlSource } from '../yaml-source.ts'
import { checkExpression } from './check-expressions.ts'
import { checkWebhook, type KnownWebhook } from './check-webhook.ts'
import type { JobFile } from './job-file.ts'

/** What a job is checked against. */
export interface JobSurroundings {
  readonly tools: ToolCatalog
  readonly lanes: Lanes
  readonly prompts: readonly string[]
  readonly webhooks: ReadonlyMap<string, KnownWebhook>
  readonly timezone: string
  readonly now: Date
}

/** Everything that is wrong with a job whose shape is right. */
export function checkJob(job: JobFile, source: YamlSource, around: JobSurroundings): Problem[] {
  const ids = job.steps.map((step) => step.id)
  const duplicates = ids.flatMap((id, at) => (ids.indexOf(id) < at ? [at] : []))
  return [
    ...job.on.schedule.flatMap(({ cron, timezone }, at) => {
      const wrong = scheduleProblem(cron, timezone ?? around.timezone, around.now)
      return wrong ? [source.problem(['on', 'schedule', at, 'cron'], wrong.what, wrong.instead)] : []
    }),
    ...checkLane(job, source, around.lanes),
    ...checkWebhook(job, source, around),
    ...duplicates.map((at) => source.problem(['steps', at, 'id'], `a step before this one is already called ${ids[at]}`, 'give each step an id of its own')),
    ...job.steps.flatMap((_, at) => checkStep(job, at, source, around)),
    ...(job.idempotency_key === undefined
      ? []
      : checkExpression(job.idempotency_key, { at: ['idempotency_key'], roots: ['slot', 'input', 'job'], before: [], later: ids, prompts: [] }, source)),
  ]
}

function checkLane(job: JobFile, source: YamlSource, lanes: Lanes): Problem[] {
  const lane = lanes.get(job.lane)
  if (!lane) return [source.problem(['lane'], `the lane ${job.lane} is not declared`, didYouMean(job.lane, [...lanes.keys()]))]
  const clearance = cloudClearance({ lanes: [job.lane] }, lanes)
  // P2 is executed by the private worker, and a provider may be cleared for it; P3 reaches no cloud model, so that the lane says the opposite of the label
  if (lane.worker === 'open' && job.label > Math.max(clearance, 2)) {
    return [source.problem(['label'], `runs would start with ${describeLevel(job.label)}, and the open worker of the lane ${job.lane} may execute only up to ${clearance < 0 ? 'nothing' : describeLevel(clearance as 0)}`,
      'lower the label, or choose a lane with worker: private')]
  }
  return []
}

function checkStep(job: JobFile, at: number, source: YamlSource, { tools, prompts }: JobSurroundings): Problem[] {
  const step = job.steps[at]!
  const ids = job.steps.map(({ id }) => id)
  const place = { roots: expressionRoots, before: ids.slice(0, at), own: step.id, later: ids.slice(at + 1), prompts }
  const problems = textsOf(step.with, ['steps', at, 'with']).flatMap(({ text, path }) => checkExpression(text, { ...place, at: path }, source))
  if (step.if !== undefined) {
    if (!step.if.includes('{{')) problems.push(source.problem(['steps', at, 'if'], 'this is a text and always holds', `write if: "{{ ${step.if.slice(0, 60)} }}"`))
    problems.push(...checkExpression(step.if, { ...place, at: ['steps', at, 'if'] }, source))
  }
  const tool = tools.get(step.uses)
  if (!tool) problems.push(source.problem(['steps', at, 'uses'], `there is no tool ${step.uses}`, didYouMean(step.uses, [...tools.keys()])))
  else if (step.fallback !== undefined && tool.fallback !== step.fallback) {
    const able = [...tools].filter(([, other]) => other.fallback === step.fallback).map(([name]) => name)
    problems.push(source.problem(['steps', at, 'fallback'], `${step.uses} has no fallback ${step.fallback}`, `remove the line; those that have it: ${able.join(', ') || 'none'}`))
  }
  if (step.timeout > job.timeout && source.place(['steps', at, 'timeout'])) {
    problems.push(source.problem(['steps', at, 'timeout'], `one try of ${step.id} may take longer than the whole run`, 'raise the timeout of the job, or lower this one'))
  }
  return problems
}

/** Every text in a step's `with`, with its path. */
export function textsOf(value: unknown, path: Path): { text: string; path: Path }[] {
  if (typeof value === 'string') return [{ text: value, path }]
  if (value === null || typeof value !== 'object') return []
  const entries: [PropertyKey, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  return entries.flatMap(([key, item]) => textsOf(item, [...path, key]))
}
