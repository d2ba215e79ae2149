import { IconAlertTriangle, IconPaperclip } from '@tabler/icons-react'
import { useState } from 'react'
import { size } from '../look/clock.ts'
import { Exact } from '../look/exact.tsx'
import type { Attachment, DraftDetail, FirstProposal, Recipients } from '../releaser/answers.ts'
import { Differences, RecipientChanges } from './differences.tsx'

interface DraftTextProps {
  readonly text: string
  readonly title: string
  readonly recipients: Recipients
  readonly first: FirstProposal | null | undefined
  readonly attachments: readonly Attachment[]
  readonly detail: Pick<DraftDetail, 'links' | 'link_warnings'>
}

/** The text as it stands in the bytes; when it was edited, also against what was proposed first. */
export function DraftText({ text, title, recipients, first, attachments, detail: { links, link_warnings: warnings } }: DraftTextProps) {
  const wasEdited = first != null && (first.text.trimEnd() !== text.trimEnd() || first.title !== title || JSON.stringify(first.recipients) !== JSON.stringify(recipients))
  const [shows, setShows] = useState<'text' | 'changes'>(wasEdited ? 'changes' : 'text')
  return (
    <>
      <div className="letter">
        {wasEdited && (
          <div className="letter-views" role="group" aria-label="How the text is shown">
            <button type="button" aria-pressed={shows === 'text'} onClick={() => setShows('text')}>As it leaves</button>
            <button type="button" aria-pressed={shows === 'changes'} onClick={() => setShows('changes')}>Against the first proposal</button>
          </div>
        )}
        {shows === 'changes' && wasEdited
          ? <div className="letter-changes">
              <RecipientChanges before={first.recipients} after={recipients} />
              {first.title !== title && <p className="changed-field"><span className="legend">Subject</span><Differences before={first.title} after={title} /></p>}
              <Differences before={withoutEnd(first.text)} after={withoutEnd(text)} isText />
            </div>
          : <pre className="letter-text" tabIndex={0} aria-label="Text as it stands in the bytes">{text.trim() === '' ? <span className="none">(no text)</span> : <Exact text={withoutEnd(text)} />}</pre>}
      </div>
      {links.length > 0 && (
        <section className="part" aria-label="Links">
          <h2>{links.length === 1 ? '1 link, in full' : `${links.length} links, in full`}</h2>
          <ul className="links">{links.map((url, index) => {
            const warning = warnings.find((one) => one.url === url)?.warning
            return <li key={index}><code><Exact text={url} /></code>{warning !== undefined && <span className="link-warning"><IconAlertTriangle size={14} aria-hidden="true" />{warning}</span>}</li>
          })}</ul>
        </section>
      )}
      {attachments.length > 0 && (
        <section className="part" aria-label="Attachments">
          <h2>{attachments.length === 1 ? '1 attachment' : `${attachments.length} attachments`}</h2>
          <ul className="files">{attachments.map((one) => (
            <li key={`${one.name} ${one.sha256}`}>
              <IconPaperclip size={16} aria-hidden="true" />
              <div>
                <span className="file-name"><Exact text={one.name} /></span> <span className="none">{one.type}, {size(one.length)}</span>
                <code className="hash">sha256 {one.sha256}</code>
              </div>
            </li>
          ))}</ul>
        </section>
      )}
    </>
  )
}

/** The one line end that closes every text. */
function withoutEnd(text: string): string {
  return text.replace(/\n$/, '')
}
