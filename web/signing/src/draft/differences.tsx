import { useMemo } from 'react'
import { Exact } from '../look/exact.tsx'
import type { Recipients } from '../releaser/answers.ts'
import { diffWords } from './word-diff.ts'

interface DifferencesProps {
  readonly before: string
  readonly after: string
  readonly isText?: boolean
}

/** Word by word; struck through and underlined, so that nobody needs the colours. */
export function Differences({ before, after, isText = false }: DifferencesProps) {
  const changes = useMemo(() => diffWords(before, after), [before, after])
  const marked = changes.map(({ kind, text }, index) =>
    kind === 'same' ? <span key={index}><Exact text={text} /></span>
    : kind === 'gone' ? <del key={index}><span className="hidden-text"> [removed:] </span><Exact text={text} /><span className="hidden-text"> [end] </span></del>
    : <ins key={index}><span className="hidden-text"> [added:] </span><Exact text={text} /><span className="hidden-text"> [end] </span></ins>)
  return isText ? <pre className="letter-text" tabIndex={0} aria-label="Changes of the text">{marked}</pre> : <span className="inline-changes">{marked}</span>
}

/** Who came, who went, and who was moved between to, cc and bcc. */
export function RecipientChanges({ before, after }: { readonly before: Recipients; readonly after: Recipients }) {
  const lines = (['to', 'cc', 'bcc'] as const).flatMap((field) => [
    ...before[field].filter((one) => !after[field].includes(one)).map((one) => ({ field, one, kind: 'gone' as const })),
    ...after[field].filter((one) => !before[field].includes(one)).map((one) => ({ field, one, kind: 'new' as const })),
  ])
  if (lines.length === 0) return null
  return (
    <ul className="recipient-changes" aria-label="Changes of the recipients">
      {lines.map(({ field, one, kind }) => (
        <li key={`${field} ${kind} ${one}`}>
          <span className="legend">{field[0]!.toUpperCase() + field.slice(1)}</span>
          {kind === 'gone' ? <del><span className="hidden-text">removed: </span><Exact text={one} /></del> : <ins><span className="hidden-text">added: </span><Exact text={one} /></ins>}
        </li>
      ))}
    </ul>
  )
}
