import { join, type Label } from '../../labels/index.ts'
import type { JobFile } from './job-file.ts'

/** The label that the runs of a job start with: its own, and that of the events that start them. */
export function startLabel(file: Pick<JobFile, 'label' | 'lane' | 'on'>, webhooks: ReadonlyMap<string, { readonly label: Label }>): Label {
  const own: Label = { level: file.label, integrity: 'trusted', lanes: [file.lane] }
  const webhook = file.on.webhook === undefined ? undefined : webhooks.get(file.on.webhook)
  return webhook ? join(own, webhook.label) : own
}
