import { lanesByName, type Lane, type Lanes } from '../labels/index.ts'
import { checkShape, salvage } from './check-shape.ts'
import { overridePorts, type Overrides } from './override-ports.ts'
import type { Problem } from './problem.ts'
import { castellanSchema, type CastellanFile } from './settings/castellan-file.ts'
import { checkDatabase } from './settings/check-database.ts'
import { checkExpose } from './settings/check-expose.ts'
import { checkLanes } from './settings/check-lanes.ts'
import { checkMail } from './settings/check-mail.ts'
import { checkModels } from './settings/check-models.ts'
import { checkOutbox } from './settings/check-outbox.ts'
import { checkSecrets } from './settings/check-secrets.ts'
import { checkSigning } from './settings/check-signing.ts'
import { checkPlaces } from './settings/check-places.ts'
import { checkPrograms } from './settings/check-programs.ts'
import { checkSources } from './settings/check-sources.ts'
import { checkSpending } from './settings/check-spending.ts'
import { checkWebhooks } from './settings/check-webhooks.ts'
import type { Settings } from './settings/settings.ts'
import { toLanes } from './settings/to-lanes.ts'
import { toSettings } from './settings/to-settings.ts'
import type { YamlSource } from './yaml-source.ts'

export interface LoadedSettings {
  /** As far as it could be understood: broken sections have their defaults. */
  readonly file: CastellanFile
  readonly lanes: Lanes
  /** Only when nothing is wrong. */
  readonly settings?: Settings
  readonly problems: readonly Problem[]
}

/** castellan.yaml, checked by itself. */
export function loadSettings(folder: string, source: YamlSource, overrides: Overrides, forbidden: readonly string[]): LoadedSettings {
  const shape = checkShape(castellanSchema, source)
  const { value: readable, broken } = salvage(castellanSchema, source.value)
  const ports = overridePorts(readable.ports, overrides)
  const file = { ...readable, ports: ports.ports }
  const { places, problems: ofPlaces } = checkPlaces(folder, file, source, forbidden)
  const { certificates, problems: ofMail } = checkMail(folder, file, source)
  const { authorities, problems: ofOutbox } = checkOutbox(folder, file, source)
  const { authorities: ofSources, problems: inSources } = checkSources(folder, file, source)
  const { programs, problems: ofPrograms } = checkPrograms(folder, file, source, forbidden)
  const problems = [
    ...shape.problems,
    ...ports.problems,
    ...(broken.has('lanes') ? [] : checkLanes(file, source)),
    ...(broken.has('models') ? [] : checkModels(file, source)),
    ...(broken.has('models') || broken.has('lanes') ? [] : checkSpending(file, source)),
    ...checkDatabase(file, source),
    ...(broken.has('lanes') ? [] : checkWebhooks(file, source)),
    ...(broken.has('lanes') ? [] : inSources),
    ...checkSecrets(folder, file, places, source),
    ...checkSigning(file, source),
    ...checkExpose(file, source),
    ...ofPlaces,
    ...ofMail,
    ...ofOutbox,
    ...ofPrograms,
  ]
  const lanes = lanesByName([...toLanes(file), ...(broken.has('lanes') ? lanesAsWritten(source) : [])])
  const whole = !problems.some((problem) => problem.severity === 'error')
  return { file, lanes, problems, ...(whole && { settings: toSettings(folder, file, places, programs, { certificates, authorities, ofSources }) }) }
}

/** The names under a `lanes` that cannot be read: jobs that use one of them must not be blamed as well. */
function lanesAsWritten(source: YamlSource): Lane[] {
  const lanes = (source.value as { lanes?: unknown } | undefined)?.lanes
  const names = typeof lanes === 'object' && lanes !== null ? Object.keys(lanes) : []
  return names.map((name) => ({ name, worker: 'private', cloudClearance: -1, providers: [] }))
}
