import { CopyButton } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'

/** A command to type in a terminal, with a button that copies it. */
export function Command({ text }: { text: string }) {
  return (
    <span className="command">
      <code>{text}</code>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <button type="button" className="icon-button" onClick={copy} aria-label={copied ? 'Copied' : `Copy: ${text}`}>
            {copied ? <IconCheck size={15} aria-hidden /> : <IconCopy size={15} aria-hidden />}
          </button>
        )}
      </CopyButton>
    </span>
  )
}
