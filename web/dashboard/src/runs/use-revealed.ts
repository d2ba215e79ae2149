import { useMutation } from '@tanstack/react-query'
import { revealRun } from '../api/requests.ts'

/** The run with what is P3 local only, once it was asked for; it is forgotten with the page. */
export function useRevealed(id: string) {
  const { data, isPending, error, mutate } = useMutation({ mutationFn: () => revealRun(id), gcTime: 0 })
  return { run: data, pending: isPending, error, onReveal: () => mutate() }
}
