import { IconCircleCheck } from '@tabler/icons-react'
import { moment } from '../look/clock.ts'
import { Exact } from '../look/exact.tsx'
import type { CheckedDraft } from '../keys/check-draft.ts'
import type { DraftDetail } from '../releaser/answers.ts'

/** What exactly is signed, for whoever wants to see it. */
export function DraftProof({ checked }: { readonly checked: CheckedDraft }) {
  return (
    <details className="proof">
      <summary><IconCircleCheck size={16} aria-hidden="true" /><span>What is signed: <code>{checked.hash.slice(0, 8)} {checked.hash.slice(8, 16)}</code> …, computed on this page</span></summary>
      <dl className="hashes">
        <div><dt>Signed, SHA-256 of the document</dt><dd><code>{grouped(checked.hash)}</code></dd></div>
        <div><dt>Bytes, SHA-256 of {checked.document.wire.length.toLocaleString('en')} bytes</dt><dd><code>{grouped(checked.wireHash)}</code></dd></div>
      </dl>
      <h2>Document, as it is signed</h2>
      <pre className="raw" tabIndex={0} aria-label="Document, as it is signed"><Exact text={checked.detail.document} /></pre>
      <h2>Headers of the bytes</h2>
      <pre className="raw" tabIndex={0} aria-label="Headers of the bytes">{checked.wire.headers.map(({ name, value }, index) => <span key={index}>{name}: <Exact text={value} />{'\n'}</span>)}</pre>
    </details>
  )
}

/** Everything that happened to the act, with its receipt: on top when it is over, folded away while it waits. */
export function DraftHistory({ detail, isOpen }: { readonly detail: DraftDetail; readonly isOpen: boolean }) {
  if (detail.history.length === 0) return null
  return (
    <details className="proof" open={isOpen}>
      <summary><span>What happened so far</span></summary>
      <ol className="history">
        {detail.history.map((line, index) => (
          <li key={index}>
            <time dateTime={line.at}>{moment(line.at)}</time>
            <div>
              <span>{line.event}{line.by ? <> by <code>{line.by}</code></> : null}{line.reason ? <>: <Exact text={line.reason} /></> : null}</span>
              {line.draft !== detail.id && <span className="none">draft {line.draft.slice(-8)}, before or after this one</span>}
              {line.receipt ? <pre className="raw" tabIndex={0} aria-label="Receipt"><Exact text={JSON.stringify(line.receipt, undefined, 2)} /></pre> : null}
            </div>
          </li>
        ))}
      </ol>
    </details>
  )
}

function grouped(hash: string): string {
  return hash.match(/.{8}/g)?.join(' ') ?? hash
}
