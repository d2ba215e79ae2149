import type { ComponentProps, ReactNode } from 'react'

interface ButtonProps extends Omit<ComponentProps<'button'>, 'type'> {
  readonly kind?: 'primary' | 'plain' | 'quiet'
  readonly submit?: boolean
  /** The key that does the same. */
  readonly shortcut?: string | undefined
  readonly icon?: ReactNode
}

export function Button({ kind = 'plain', submit = false, shortcut, icon, children, className = '', ...rest }: ButtonProps) {
  return (
    <button type={submit ? 'submit' : 'button'} className={`button ${kind} ${className}`} aria-keyshortcuts={shortcut} {...rest}>
      {icon}
      {children}
      {shortcut !== undefined && <kbd className="kbd" aria-hidden="true">{shortcut}</kbd>}
    </button>
  )
}
