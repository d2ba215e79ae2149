import { queryOptions, useQueryClient } from '@tanstack/react-query'
import { useCallback } from 'react'
import { openSession, readSession, signOut } from '../api/session-requests.ts'

/** Whether this browser is signed in; a code that came with the address is used first, once. */
export function sessionQuery(code: string | undefined) {
  return queryOptions({
    queryKey: ['me'],
    queryFn: async () => {
      if (code !== undefined && !used.has(code)) {
        used.add(code)
        return openSession(code)
      }
      return readSession()
    },
    retry: false,
    refetchInterval: false,
    staleTime: Infinity,
  })
}

const used = new Set<string>()

/** Ends the session here and at the server, and forgets all that was read. */
export function useSignOut(): () => void {
  const queries = useQueryClient()
  return useCallback(() => {
    void signOut().finally(() => {
      queries.clear()
      window.location.assign('/')
    })
  }, [queries])
}
