import { Button } from '@mantine/core'
import { IconAlertTriangle, IconCircleX } from '@tabler/icons-react'
import { Link, type ErrorComponentProps } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { sentenceOf } from '../api/api-problem.ts'

interface EmptyProps {
  readonly title: string
  readonly why: ReactNode
  readonly action?: ReactNode
}

/** Says why there is nothing, and offers one thing to do. */
export function Empty({ title, why, action }: EmptyProps) {
  return (
    <div className="card">
      <div className="empty">
        <span className="title">{title}</span>
        <p>{why}</p>
        {action !== undefined && <div className="actions">{action}</div>}
      </div>
    </div>
  )
}

interface NoticeProps {
  readonly tone: 'bad' | 'warn' | 'yours'
  readonly title: string
  readonly children: ReactNode
  readonly action?: ReactNode
}

export function Notice({ tone, title, children, action }: NoticeProps) {
  const Icon = tone === 'bad' ? IconCircleX : IconAlertTriangle
  return (
    <div className={`notice tone-${tone}`} role={tone === 'bad' ? 'alert' : undefined}>
      <Icon size={18} aria-hidden />
      <div>
        <span className="title">{title}</span>
        <p>{children}</p>
      </div>
      {action}
    </div>
  )
}

/** What could not be read, why, and the way to try again. */
export function Failed({ what, error, again }: { what: string; error: unknown; again?: (() => void) | undefined }) {
  return (
    <Notice tone="bad" title={`${what} could not be read`} action={again && <Button variant="default" size="xs" className="touch" onClick={again}>Try again</Button>}>
      {sentenceOf(error)}
    </Notice>
  )
}

/** As tall as what comes, so that nothing moves when it is there. */
export function Rows({ count, label }: { count: number; label: string }) {
  return (
    <div className="card" aria-busy="true">
      <span className="hidden" role="status">{label}</span>
      {Array.from({ length: count }, (_, index) => (
        <div className="row" key={index} aria-hidden>
          <span className="skeleton" style={{ width: 16, height: 16 }} />
          <span className="skeleton" style={{ width: `${62 - ((index * 17) % 30)}%`, height: 14 }} />
          <span className="skeleton" style={{ width: 72, height: 12 }} />
        </div>
      ))}
    </div>
  )
}

export function PagePending() {
  return (
    <div className="page">
      <div className="skeleton" style={{ width: '9rem', height: '1.75rem' }} aria-hidden />
      <Rows count={6} label="The page is loading" />
    </div>
  )
}

export function PageFailed({ error, reset }: ErrorComponentProps) {
  return (
    <div className="page">
      <Failed what="This page" error={error} again={reset} />
    </div>
  )
}

export function Nowhere() {
  return (
    <div className="page">
      <Empty title="There is no such page" why="The address leads nowhere. It may be mistyped, or of a page that is gone." action={<Button component={Link} to="/" variant="default">To Today</Button>} />
    </div>
  )
}
