import { join, type Label } from '../../labels/index.ts'
import type { JobFile } from './job-file.ts'

/** Of a run that alerts start: kinds and names of the house, as the database labels them. */
const ofAlerts: Label = { level: 1, integrity: 'trusted', lanes: [] }

/** The label that the runs of a job start with: its own, and that of the events that start them. */
export function startLabel(file: Pick<JobFile, 'label' | 'lane' | 'on'>, webhooks: ReadonlyMap<string, { readonly label: Label }>): Label {
  const declared: Label = { level: file.label, integrity: 'trusted', lanes: [file.lane] }
  const own = file.on.alerts ? join(declared, ofAlerts) : declared
  const webhook = file.on.webhook === undefined ? undefined : webhooks.get(file.on.webhook)
  return webhook ? join(own, webhook.label) : own
}
