import { Exact } from '../look/exact.tsx'
import type { CheckedDraft } from '../keys/check-draft.ts'

/** Who gets it, all of them, those in BCC as plainly as the others. */
export function DraftHead({ checked: { document } }: { readonly checked: CheckedDraft }) {
  const { to, cc, bcc } = document.recipients
  return (
    <dl className="head">
      <div><dt>From</dt><dd><Exact text={document.from} /></dd></div>
      <Addresses name="To" all={to} />
      {cc.length > 0 && <Addresses name="Cc" all={cc} />}
      {bcc.length > 0
        ? <div className="head-bcc"><dt>Bcc</dt><dd>{bcc.map((one) => <span key={one} className="address"><Exact text={one} /></span>)}<span className="head-note">the others do not see {bcc.length === 1 ? 'this one' : 'these'}</span></dd></div>
        : <div><dt>Bcc</dt><dd className="none">nobody</dd></div>}
      <div><dt>Leaves by</dt><dd><Exact text={document.connector.name} /> <span className="none">({document.connector.kind}, <Exact text={document.account} />)</span></dd></div>
    </dl>
  )
}

function Addresses({ name, all }: { readonly name: string; readonly all: readonly string[] }) {
  return <div><dt>{name}</dt><dd>{all.length === 0 ? <span className="none">nobody</span> : all.map((one) => <span key={one} className="address"><Exact text={one} /></span>)}</dd></div>
}
