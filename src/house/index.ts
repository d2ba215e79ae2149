export type { FolderRule, House, LabelRule, MailRule } from './house.ts'
export type { JobDefinition, Schedule, StepDefinition } from './jobs/job.ts'
export type { AgentDefinition } from './agents/agent.ts'
export type {
  Connector,
  DatabaseSettings,
  DatabaseUser,
  FileConnectorSettings,
  FolderAccount,
  FolderSettings,
  ImapAccount,
  ImapConnectorSettings,
  MailAccount,
  OptionalUser,
  OutboxSettings,
  RetentionSettings,
  RiskRule,
  RouteTarget,
  SecretReference,
  Settings,
  SmtpConnectorSettings,
  BatchSettings,
  CacheSettings,
  LimitSettings,
  RoutingSettings,
  SpendingSettings,
  TraceSettings,
  Upstream,
  WebhookSettings,
} from './settings/settings.ts'
export type { CaldavConnectorSettings, ConnectorLimits, FilesConnectorSettings, GitConnectorSettings, GithubConnectorSettings, HttpConnectorSettings, ListmonkConnectorSettings, MastodonConnectorSettings, ShellConnectorSettings, TelegramConnectorSettings, WebhookConnectorSettings } from './settings/connector-settings.ts'
export type { CommandSourceSettings, HttpSourceSettings, SourceParameter, SourceSettings } from './settings/source-settings.ts'
export type { SecretForm, SecretKey, SecretSource } from './settings/secret-settings.ts'
export type { ExposeSettings } from './settings/check-expose.ts'
export { signingSite, type SigningSite } from './settings/check-signing.ts'
export { describeProblem, type Problem } from './problem.ts'
export { isTrue, renderTemplate, resolveInput, type Scope } from './expression.ts'
export { nextFires } from './cron.ts'
export { formatDuration, parseDuration } from './duration.ts'
export { labelOfFile, labelOfMail, type IngestedMail } from './ingest-label.ts'
export { matches } from '../kernel/pattern.ts'
export { bothTimes, localMoment } from './local-moment.ts'
export type { ToolCatalog } from './tool-catalog.ts'
export { explainKey, initHouse, loadHouse } from './operator-verbs.ts'
export type { Explanation } from './explain-key.ts'
export type { LoadOptions } from './load-house.ts'
