export { createApp, type ServerDeps } from './app.ts'
export { createDoctor } from './doctor/doctor.ts'
export { databaseExaminations } from './doctor/database-examinations.ts'
export { machineExaminations } from './doctor/machine-examinations.ts'
export { signingExamination } from './doctor/signing-examination.ts'
export { createLoopbackApp } from './loopback.ts'
export { createReadiness } from './readiness.ts'
export type {
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
  RunDetail,
  RunSummary,
  StatusView,
  StepView,
  TodayView,
  ToolRunView,
  ToolView,
  UpstreamView,
} from './api.ts'
