import { IconUserQuestion } from '@tabler/icons-react'
import { moment, useClock } from '../look/clock.ts'
import { Exact } from '../look/exact.tsx'
import type { CheckedDraft } from '../keys/check-draft.ts'
import type { AnsweredMail, DraftSummary } from '../releaser/answers.ts'
import { RiskMark } from './risk-mark.tsx'
import { timeLeft } from './time-left.ts'

const levels = ['P0 public', 'P1 low', 'P2 internal', 'P3 local only']

interface DraftFactsProps {
  readonly checked: CheckedDraft
  readonly draft: DraftSummary
  readonly now: () => number
}

/** What to weigh before signing: risk and why, how private, whose text, where from, what undoes it, until when. */
export function DraftFacts({ checked: { document, detail }, draft, now }: DraftFactsProps) {
  const { label, origin } = document
  return (
    <dl className="facts">
      <div>
        <dt>Risk</dt>
        <dd>
          <RiskMark risk={document.risk} />
          <ul className="reasons">{document.reasons.map((reason) => <li key={reason}><Exact text={reason} /></li>)}</ul>
        </dd>
      </div>
      <div>
        <dt>Label</dt>
        <dd>
          {levels[label.level] ?? `P${label.level}`}{label.lanes.length > 0 && <span className="none"> in {label.lanes.join(', ')}</span>}
          {label.integrity === 'untrusted' && <p className="taint"><IconUserQuestion size={16} aria-hidden="true" />a stranger’s text had a part in it</p>}
        </dd>
      </div>
      <div>
        <dt>Where from</dt>
        <dd>
          {origin.run === null ? 'you, at the command line' : <>job <b>{origin.job}</b>, step <b>{origin.step}</b><p className="none">run <code>{origin.run}</code></p></>}
          {detail.answers && <Answered mail={detail.answers} />}
        </dd>
      </div>
      {document.not_before !== null && <div><dt>Leaves</dt><dd>not before {moment(document.not_before)}<span className="none">, {document.not_before}</span></dd></div>}
      <div><dt>What undoes it</dt><dd><Exact text={document.rollback} /></dd></div>
      {draft.state === 'waiting' && <div><dt>Time left</dt><dd><Deadline at={document.expires_at} now={now} /></dd></div>}
    </dl>
  )
}

/** The same in a line under the subject, so that nobody has to go down to it before he signs. */
export function DraftGist({ checked: { document }, draft, now }: DraftFactsProps) {
  const { label, risk, reasons } = document
  // what lifts the risk by itself says so: `at least 7: it holds something like an IBAN`
  const decisive = risk >= 7 ? reasons.filter((reason) => reason.startsWith('at least ')).map((reason) => reason.replace(/^at least \d+: /, '')) : []
  return (
    <div className="gist">
      <RiskMark risk={risk} />
      <span>{levels[label.level] ?? `P${label.level}`}</span>
      {label.integrity === 'untrusted' && <span className="taint"><IconUserQuestion size={16} aria-hidden="true" />untrusted</span>}
      {draft.state === 'waiting' && <Gone at={document.expires_at} now={now} />}
      {decisive.length > 0 && <p className="gist-why"><Exact text={`${decisive[0]![0]!.toUpperCase()}${decisive.join('; ').slice(1)}.`} /></p>}
    </div>
  )
}

function Gone({ at, now }: { readonly at: string; readonly now: () => number }) {
  const { text, pressing } = timeLeft(at, useClock(now))
  return <span className={pressing}>{pressing === 'over' ? text : `${text} left`}</span>
}

/** Who wrote it may have chosen each word of it. */
function Answered({ mail }: { readonly mail: AnsweredMail }) {
  return (
    <p>
      answers “<Exact text={mail.subject ?? ''} />” by <Exact text={mail.from ?? 'somebody who cannot be read'} />
      <span className="none">{mail.received_at !== null && `, ${moment(mail.received_at)}`}, in mailbox {mail.account}{mail.label && `, ${mail.label.word} ${mail.label.integrity}`}</span>
    </p>
  )
}

function Deadline({ at, now }: { readonly at: string; readonly now: () => number }) {
  const { text, pressing } = timeLeft(at, useClock(now))
  if (pressing === 'over') return <span className="over">time is over: it counts as denied</span>
  return <><span className={pressing}>{text}</span><span className="none">, until {moment(at)}; unsigned then means denied</span></>
}
