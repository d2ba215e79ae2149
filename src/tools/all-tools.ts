import type { AnyTool } from './define-tool.ts'
import { filesList } from './files/list.ts'
import { filesRead } from './files/read.ts'
import { filesSearch } from './files/search.ts'
import { filesWrite } from './files/write.ts'
import { ledgerAlerts } from './ledger/alerts.ts'
import { ledgerCalls, ledgerDrafts, ledgerLate, ledgerOccurrences, ledgerRuns } from './ledger/ledger-tools.ts'
import { mailList } from './mail/list.ts'
import { mailFlag, mailMove } from './mail/propose-acts.ts'
import { mailRead } from './mail/read.ts'
import { mailSearch } from './mail/search.ts'
import { modelAsk } from './model/ask.ts'
import { outboxList } from './outbox/list.ts'
import { orderPropose } from './outbox/propose-order.ts'
import { outboxPropose } from './outbox/propose.ts'
import { outboxTell } from './outbox/tell.ts'
import { outboxWait } from './outbox/wait.ts'
import { shellRun } from './shell/run.ts'
import { sourceRead } from './source/read.ts'
import { sourceRefresh } from './source/refresh.ts'
import { textReplies } from './text/replies.ts'
import { textSummarize } from './text/summarize.ts'
import { textTemplate } from './text/template.ts'
import { textTriage } from './text/triage.ts'
import { webhookRead } from './webhook/read.ts'

/** Every tool there is. A new one is added here and is then a job step, an agent's tool and a command. */
export const allTools: readonly AnyTool[] = [
  filesList, filesRead, filesSearch, filesWrite,
  ledgerAlerts, ledgerCalls, ledgerDrafts, ledgerLate, ledgerOccurrences, ledgerRuns,
  mailFlag, mailList, mailMove, mailRead, mailSearch,
  modelAsk,
  outboxList, outboxPropose, orderPropose, outboxTell, outboxWait,
  shellRun,
  sourceRead, sourceRefresh,
  textReplies, textSummarize, textTemplate, textTriage,
  webhookRead,
]
