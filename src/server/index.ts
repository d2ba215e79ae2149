export { createApp, type ServerDeps } from './app.ts'
export { createDoctor } from './doctor/doctor.ts'
export { databaseExaminations } from './doctor/database-examinations.ts'
export { mailboxExamination } from './doctor/mailbox-examination.ts'
export { machineExaminations } from './doctor/machine-examinations.ts'
export { signingExamination } from './doctor/signing-examination.ts'
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
  RedrivenRun,
  Reloaded,
  RunDetail,
  RunSummary,
  SessionLine,
  SigninLink,
  SpendView,
  StatusView,
  StepView,
  TodayView,
  ToolRunView,
  ToolView,
  UpstreamView,
} from './api.ts'
