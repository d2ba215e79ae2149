import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ApiProblem, sentenceOf } from '../api/api-problem.ts'
import { Command } from '../parts/command.tsx'
import { Notice } from '../parts/page-states.tsx'
import { sessionQuery } from './session.ts'
import './sign-in.css'

/** Shows the pages to who is signed in, and to everybody else how to be. */
export function SignInGate({ code, children }: { code: string | undefined; children: ReactNode }) {
  const { data, error, isPending, refetch } = useQuery(sessionQuery(code))
  if (data) return children
  if (isPending) return null
  return (
    <main className="sign-in">
      <title>Sign in · Castellan</title>
      <img src="/icon.svg" alt="" width={44} height={44} />
      <h1>{isPlainlySignedOut(error, code) ? 'This browser is not signed in' : 'You could not be signed in'}</h1>
      <p>A terminal on the machine that Castellan runs on prints a link that signs one browser in, once:</p>
      <Command text="npx castellan signin" />
      {!isPlainlySignedOut(error, code) && <Notice tone="bad" title="What went wrong">{sentenceOf(error)}</Notice>}
      <Button variant="default" className="touch" onClick={() => void refetch()}>Look again</Button>
    </main>
  )
}

/** Nothing went wrong: there is no session, or no longer. */
function isPlainlySignedOut(error: unknown, code: string | undefined): boolean {
  return error === null || (error instanceof ApiProblem && error.status === 401 && code === undefined)
}
