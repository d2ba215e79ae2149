import { IconAlertTriangle, IconCircleCheck, IconInfoCircle } from '@tabler/icons-react'
import type { ReactNode } from 'react'

interface AlertProps {
  readonly tone?: 'warm' | 'bad' | 'good'
  readonly children: ReactNode
  /** It came after something that the reader did, and is read out. */
  readonly live?: boolean
}

export function Alert({ tone = 'warm', live = false, children }: AlertProps) {
  const Icon = tone === 'bad' ? IconAlertTriangle : tone === 'good' ? IconCircleCheck : IconInfoCircle
  return (
    <div className={`alert ${tone}`} role={live ? (tone === 'bad' ? 'alert' : 'status') : undefined}>
      <Icon size={18} aria-hidden="true" />
      <div>{children}</div>
    </div>
  )
}
