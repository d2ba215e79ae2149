import { Component, type ReactNode } from 'react'
import { Button } from './button.tsx'

interface BoundaryProps {
  readonly children: ReactNode
}

/** A page that cannot show something says so: half a draft must not look like a whole one. */
export class Boundary extends Component<BoundaryProps, { readonly problem: string | undefined }> {
  override state = { problem: undefined }

  static getDerivedStateFromError(error: unknown) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }

  override render() {
    if (this.state.problem === undefined) return this.props.children
    return (
      <main className="front">
        <div className="front-card" role="alert">
          <h1>This page cannot show something</h1>
          <p>Nothing was signed by this. What it stumbled over: <code>{this.state.problem}</code></p>
          <Button kind="primary" onClick={() => location.reload()}>Load it again</Button>
          <p className="front-fine">At the terminal, <code>npx castellan draft list</code> shows the same drafts.</p>
        </div>
      </main>
    )
  }
}
