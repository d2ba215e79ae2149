export { createApp, type ServerDeps } from './app.ts'
export { createDoctor } from './doctor/doctor.ts'
export { databaseExaminations } from './doctor/database-examinations.ts'
export { mailboxExamination } from './doctor/mailbox-examination.ts'
export { alertsExamination } from './doctor/alerts-examination.ts'
export { fenceExamination } from './doctor/fence-examination.ts'
export { ownMachinesExamination } from './doctor/own-machines-examination.ts'
export { machineExaminations } from './doctor/machine-examinations.ts'
export { secretsExamination } from './doctor/secrets-examination.ts'
export { signingExamination } from './doctor/signing-examination.ts'
export { sourceExamination } from './doctor/source-examination.ts'
export { webhookExamination } from './doctor/webhook-examination.ts'
export type { WebhookListener } from './read/webhooks.ts'
export { createLoopbackApp, type LoopbackDeps } from './loopback.ts'
export { createReadiness } from './readiness.ts'
export { createSessions } from './signin/sessions.ts'
export type {
  BatchView,
  Check,
  ErrorView,
  FireView,
  JobDetail,
  JobSummary,
  LogLine,
  NotRun,
  OccurrenceView,
  OpenedRun,
  RecordedActs,
  RedrivenRun,
  Reloaded,
  RunDetail,
  RunSummary,
  SecurityAlert,
  SessionLine,
  SigninLink,
  SourcesView,
  SpendView,
  StatusView,
  StepView,
  TakenSecrets,
  TodayView,
  ToolRunView,
  ToolView,
  UpstreamView,
  WebhooksView,
} from './api.ts'
