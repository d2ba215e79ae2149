/**
 * What the server answers with, as types. The schemas in `views/` are the one source: of these, of docs/openapi.json, and
 * of what the tests hold every answer against. A list's data is an array, and whatever has a state says so in `state`.
 */
export type { AlertCounts, SecurityAlert } from './views/alerts.ts'
export type { BatchView } from './views/batches.ts'
export type { DraftDetail, DraftLine } from './views/drafts.ts'
export type { AlertView, Check, HouseView, IsolationView, PartView, ProblemView, ProcessView, ReadinessView, Reloaded, StatusView } from './views/house.ts'
export type { FireView, JobDetail, JobLine, JobSummary, OccurrenceView, StripSlot } from './views/jobs.ts'
export type { ErrorView, LabelView } from './views/label.ts'
export type { UpstreamView } from './views/models.ts'
export type { LogLine, OpenedRun, ProposalView, RedrivenRun, RunDetail, RunSummary, StepView } from './views/runs.ts'
export type { Hint, SessionLine, SessionView, SigninLink } from './views/sessions.ts'
export type { RecordedActs, TakenSecrets } from './views/secrets.ts'
export type { CeilingView, SpendLine, SpendView } from './views/spend.ts'
export type { BriefView, NotRun, TodayView } from './views/today.ts'
export type { ToolRunView, ToolView } from './views/tools.ts'
export type { SourcesView, SourceView } from './views/sources.ts'
export type { WebhooksView, WebhookView } from './views/webhooks.ts'
