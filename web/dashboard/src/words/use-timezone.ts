import { useQuery } from '@tanstack/react-query'
import { todayQuery } from '../api/queries.ts'

/** The zone of the house, in which its schedules are told; until it is known, this machine's. */
export function useTimezone(): string | undefined {
  return useQuery({ ...todayQuery, select: ({ timezone }) => timezone }).data
}
