import { useId, type ReactNode } from 'react'

interface SectionProps {
  readonly title: string
  readonly count?: number | undefined
  readonly aside?: ReactNode
  readonly children: ReactNode
}

/** A titled part of a page. */
export function Section({ title, count, aside, children }: SectionProps) {
  const id = useId()
  return (
    <section className="section" aria-labelledby={id}>
      <div className="section-head">
        <h2 id={id}>{title}</h2>
        {count !== undefined && <span className="count">{count}</span>}
        {aside !== undefined && <span className="aside">{aside}</span>}
      </div>
      {children}
    </section>
  )
}

/** Keeps the room of the line under a page's name while it is read. */
export function AboutRoom() {
  return <span className="skeleton about-room" aria-hidden />
}

interface PageHeadProps {
  readonly title: string
  readonly about?: ReactNode
  readonly actions?: ReactNode
  readonly above?: ReactNode
}

/** The page's name, one line on it, and what can be done. */
export function PageHead({ title, about, actions, above }: PageHeadProps) {
  return (
    <header className="page-head">
      <title>{`${title} · Castellan`}</title>
      <div className="words">
        {above}
        <h1>{title}</h1>
        {about !== undefined && <div className="about">{about}</div>}
      </div>
      {actions !== undefined && <div className="actions">{actions}</div>}
    </header>
  )
}
