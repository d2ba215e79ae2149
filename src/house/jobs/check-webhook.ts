import { cloudClearance, describeLevel, type Label, type Lanes } from '../../labels/index.ts'
import type { Problem } from '../problem.ts'
import { didYouMean } from '../suggest.ts'
import type { YamlSource } from '../yaml-source.ts'
import type { JobFile } from './job-file.ts'
import { startLabel } from './start-label.ts'

/** What a job must know of a webhook that starts it. */
export interface KnownWebhook {
  readonly label: Label
  readonly events: readonly string[]
}

/** A job that waits for events that never come, that would lose some, or that may not read them. */
export function checkWebhook(job: JobFile, source: YamlSource, { webhooks, lanes }: { webhooks: ReadonlyMap<string, KnownWebhook>; lanes: Lanes }): Problem[] {
  const { webhook: name, events } = job.on
  if (name === undefined) {
    return events.length === 0 ? [] : [source.problem(['on', 'events'], 'nothing says whose events these are', 'write webhook: NAME beside them', { at: 'key' })]
  }
  const webhook = webhooks.get(name)
  if (!webhook) {
    return [source.problem(['on', 'webhook'], `the webhook ${name} is not declared in castellan.yaml`, webhooks.size === 0 ? 'declare it under webhooks' : didYouMean(name, [...webhooks.keys()]))]
  }
  return [
    ...events.flatMap((event, at) =>
      webhook.events.length === 0 || webhook.events.some((taken) => meet(event, taken)) ? [] : [source.problem(['on', 'events', at], `the webhook ${name} does not take in ${event}`, `it takes in ${webhook.events.join(', ')}; add it there`)]),
    ...(job.overlap === 'skip' || job.overlap === 'replace'
      ? [source.problem(['overlap'], `an event that comes during a run would be lost by overlap: ${job.overlap}`, 'write overlap: queue, or allow, or leave it out')]
      : []),
    ...(webhook.label.level > job.reads_up_to
      ? [source.problem(source.place(['reads_up_to']) ? ['reads_up_to'] : ['on', 'webhook'], `events of ${name} are ${describeLevel(webhook.label.level)}, and this job may read only up to ${describeLevel(job.reads_up_to)}`, `write reads_up_to: P${webhook.label.level}`)]
      : []),
    ...checkClearance(job, name, webhook, source, { webhooks, lanes }),
  ]
}

/** A run that the open worker could never take: it begins with what a stranger sent. */
function checkClearance(job: JobFile, name: string, { label }: KnownWebhook, source: YamlSource, { webhooks, lanes }: { webhooks: ReadonlyMap<string, KnownWebhook>; lanes: Lanes }): Problem[] {
  if (lanes.get(job.lane)?.worker !== 'open') return []
  const start = startLabel(job, webhooks)
  const clearance = cloudClearance(start, lanes)
  if (start.level <= clearance) return []
  const together = start.lanes.length > 1 ? ` together with ${start.lanes.filter((lane) => lane !== job.lane).join(', ')}` : ''
  return [source.problem(['on', 'webhook'],
    `runs would start with ${describeLevel(start.level)} because events of ${name} are ${describeLevel(label.level)}, and the lane ${job.lane}${together} is cleared ${clearance < 0 ? 'for nothing' : `up to ${describeLevel(clearance as 0)}`}`,
    'choose a lane with worker: private, or give the webhook a label and lanes that this lane is cleared for')]
}

/** Is there a type that both patterns mean? */
function meet(a: string, b: string): boolean {
  const [one, other] = [a.replace(/\*$/, ''), b.replace(/\*$/, '')]
  if (a.endsWith('*') && b.endsWith('*')) return one.startsWith(other) || other.startsWith(one)
  if (b.endsWith('*')) return one.startsWith(other)
  return a.endsWith('*') ? other.startsWith(one) : one === other
}
