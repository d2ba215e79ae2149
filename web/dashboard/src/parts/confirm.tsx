import './dialog-styles.ts'
import { Button, Modal } from '@mantine/core'
import type { ReactNode } from 'react'
import { sentenceOf } from '../api/api-problem.ts'

interface ConfirmProps {
  readonly title: string
  readonly children: ReactNode
  readonly yes: string
  readonly danger?: boolean
  readonly pending: boolean
  readonly error: unknown
  readonly onYes: () => void
  readonly close: () => void
}

/** Asks before something that cannot be taken back; the safe answer has the focus. */
export function Confirm({ title, children, yes, danger = false, pending, error, onYes, close }: ConfirmProps) {
  return (
    <Modal opened onClose={close} title={title} centered size="sm" closeButtonProps={{ 'aria-label': 'Close' }} transitionProps={{ duration: 80 }}>
      <div className="soft">{children}</div>
      {error !== null && error !== undefined && <p className="state tone-bad" role="alert" style={{ whiteSpace: 'normal', marginTop: 12 }}>{sentenceOf(error)}</p>}
      <div className="dialog-end">
        <Button variant="default" className="touch" onClick={close} data-autofocus>No</Button>
        <Button className={danger ? 'touch danger' : 'touch'} loading={pending} onClick={onYes}>{yes}</Button>
      </div>
    </Modal>
  )
}
