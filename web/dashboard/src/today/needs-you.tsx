import { IconCircleCheck } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import type { Today } from '../api/views.ts'
import { DraftRow } from '../parts/draft-row.tsx'
import { Notice } from '../parts/page-states.tsx'
import { ProblemRow } from '../parts/problem-row.tsx'
import { RunRow } from '../parts/run-row.tsx'
import { Section } from '../parts/section.tsx'
import { AlertRow } from './alert-row.tsx'

const alertTitles: Readonly<Record<Today['alerts'][number]['kind'], string>> = { 'signin.locked': 'Somebody tried to sign in', 'budget.alert': 'A budget', 'secret.due': 'A secret is due' }

/** Everything that only the operator can move on: alerts, drafts, runs that gave up, errors of the house. */
export function NeedsYou({ today }: { today: Today }) {
  const { drafts, more_drafts: more, dead, alerts, security_alerts: security, more_security_alerts: moreSecurity } = today
  const errors = today.problems.filter(({ severity }) => severity === 'error')
  const warnings = today.problems.filter(({ severity }) => severity !== 'error')
  return (
    <>
      {alerts.map(({ kind, at, what }) => <Notice key={`${kind} ${at} ${what}`} tone="bad" title={alertTitles[kind]}>{what}</Notice>)}
      {today.counts.needs_you === 0 && (
        <Section title="Needs you">
          <div className="card calm"><IconCircleCheck size={20} aria-hidden /><span>Nothing needs you.</span><span className="faint">Alerts, drafts to sign, runs that gave up and errors in the house would stand here.</span></div>
        </Section>
      )}
      {security.length > 0 && (
        <Section title="Look at this" count={security.length + moreSecurity}>
          <ul className="card">
            {security.map((alert) => <AlertRow key={alert.id} alert={alert} />)}
            {moreSecurity > 0 && <li><span className="row-rest">{moreSecurity} more: castellan alerts list</span></li>}
          </ul>
        </Section>
      )}
      {drafts.length > 0 && (
        <Section title="Waits for your signature" count={drafts.length + more} aside="opens the signing app">
          <ul className="card">
            {drafts.map((draft) => <DraftRow key={draft.id} draft={draft} />)}
            {more > 0 && <li><Link className="row-more" data-row to="/drafts" search={{ state: 'waiting' }}>{more} more</Link></li>}
          </ul>
        </Section>
      )}
      {dead.length > 0 && (
        <Section title="Gave up" count={dead.length}>
          <ul className="card">{dead.map((run) => <RunRow key={run.id} run={run} why />)}</ul>
        </Section>
      )}
      {errors.length > 0 && (
        <Section title="Errors in the house" count={errors.length}>
          <ul className="card">{errors.map((problem, index) => <ProblemRow key={index} problem={problem} />)}</ul>
        </Section>
      )}
      {warnings.length > 0 && (
        <Section title="Warnings in the house" count={warnings.length}>
          <ul className="card">{warnings.map((problem, index) => <ProblemRow key={index} problem={problem} />)}</ul>
        </Section>
      )}
    </>
  )
}
