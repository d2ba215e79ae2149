import type { ReactNode } from 'react'
import type { Brief as BriefView } from '../api/views.ts'
import { LabelChip } from '../parts/label-chip.tsx'
import { RunLink } from '../parts/run-link.tsx'
import { Section } from '../parts/section.tsx'
import { Moment } from '../parts/time.tsx'
import { visibleText } from '../words/wording.ts'
import type { Inline } from './inline.ts'
import { parseMarkdown, type Block, type Item } from './markdown.ts'

/** What the morning job wrote, without a page's power to do anything: no HTML, nothing to click, nothing that loads. */
export function Brief({ brief }: { brief: BriefView }) {
  return (
    <Section title="The brief" aside={<RunLink id={brief.run}><Moment at={brief.made_at} /> by {brief.job}</RunLink>}>
      <article className="card brief">
        {brief.text === null
          ? <p className="soft">It is P3 local only, and so not in this browser. The run shows it when you ask for it there.</p>
          : parseMarkdown(visibleText(brief.text)).map((block, index) => <BlockView key={index} block={block} />)}
        <footer className="brief-foot sub-line">
          <LabelChip label={brief.label} />
          {brief.made_without_model && <span className="chip">made without a model</span>}
        </footer>
      </article>
    </Section>
  )
}

function BlockView({ block }: { block: Block }): ReactNode {
  switch (block.kind) {
    case 'heading': return <Heading level={block.level}>{inline(block.text)}</Heading>
    case 'paragraph': return <p>{inline(block.text)}</p>
    case 'quote': return <blockquote>{inline(block.text)}</blockquote>
    case 'list': return <List items={block.items} ordered={block.ordered} />
    case 'code': return <pre tabIndex={0}>{block.text}</pre>
    case 'rule': return <hr />
  }
}

/** Under the page's own headings of level 1 and 2. */
function Heading({ level, children }: { level: number; children: ReactNode }) {
  return level === 1 ? <h3>{children}</h3> : <h4>{children}</h4>
}

function List({ items, ordered }: { items: readonly Item[]; ordered: boolean }) {
  const Tag = ordered ? 'ol' : 'ul'
  return (
    <Tag>
      {items.map(({ text, children }, index) => (
        <li key={index}>
          {inline(text)}
          {children.length > 0 && <List items={children} ordered={false} />}
        </li>
      ))}
    </Tag>
  )
}

function inline(text: readonly Inline[]): ReactNode {
  return text.map((part, index) => {
    if (typeof part === 'string') return part
    if (part.kind === 'code') return <code key={index}>{part.text}</code>
    return part.kind === 'strong' ? <strong key={index}>{part.text}</strong> : <em key={index}>{part.text}</em>
  })
}
