import type * as alerts from './schema-alerts.ts'
import type * as batches from './schema-batches.ts'
import type * as ledger from './schema-ledger.ts'
import type * as outbox from './schema-outbox.ts'
import type * as runs from './schema-runs.ts'
import type * as spending from './schema-spending.ts'

/** The tables of schema `castellan`, as the migrations make them. Which role may touch which is in 0007_rows_and_rights.sql. */
export interface Schema {
  lane: runs.LaneTable
  house: runs.HouseTable
  job_definition: runs.JobDefinitionTable
  job: runs.JobTable
  occurrence: runs.OccurrenceTable
  run: runs.RunTable
  step: runs.StepTable
  run_log: runs.RunLogTable
  session: runs.SessionTable
  model_call: runs.ModelCallTable
  declassification: runs.DeclassificationTable
  client_key: runs.ClientKeyTable
  clearance: runs.ClearanceTable
  batch: batches.BatchTable
  batch_file: batches.BatchFileTable
  batch_file_line: batches.BatchFileLineTable
  batch_line: batches.BatchLineTable
  exchange_rate: spending.ExchangeRateTable
  budget_account: spending.BudgetAccountTable
  budget_block: spending.BudgetBlockTable
  budget_block_account: spending.BudgetBlockAccountTable
  budget_alert: spending.BudgetAlertTable
  content: ledger.ContentTable
  mail_message: ledger.MailMessageTable
  mailbox: ledger.MailboxTable
  mail_piece: ledger.MailPieceTable
  file_label: ledger.FileLabelTable
  inbound_event: ledger.InboundEventTable
  inbound_seen: ledger.InboundSeenTable
  inbound_run: ledger.InboundRunTable
  inbound_tally: ledger.InboundTallyTable
  source_fetch: ledger.SourceFetchTable
  source_snapshot: ledger.SourceSnapshotTable
  source_connection: ledger.SourceConnectionTable
  proposal: outbox.ProposalTable
  draft: outbox.DraftTable
  decision: outbox.DecisionTable
  standing_order: outbox.StandingOrderTable
  order_use: outbox.OrderUseTable
  delivery: outbox.DeliveryTable
  releaser_state: outbox.ReleaserStateTable
  audit_kind: ledger.AuditKindTable
  audit_event: ledger.AuditEventTable
  audit_seal: ledger.AuditSealTable
  alert_rule: alerts.AlertRuleTable
  alert_signal: alerts.AlertSignalTable
  alert: alerts.AlertTable
  process: ledger.ProcessTable
  supervisor: ledger.SupervisorTable
  web_session: ledger.WebSessionTable
  signin_code: ledger.SigninCodeTable
  schema_meta: ledger.SchemaMetaTable
}
