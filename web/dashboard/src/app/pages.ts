/** The pages that one goes to from everywhere: `g` and the key, the navigation, the palette. */
export const pages = [
  { path: '/', name: 'Today', key: 't', about: 'What needs you, what ran, what did not and why' },
  { path: '/jobs', name: 'Jobs', key: 'j', about: 'What is done when, and what became of it' },
  { path: '/runs', name: 'Runs', key: 'r', about: 'Every run, with its timeline' },
  { path: '/drafts', name: 'Drafts', key: 'd', about: 'What waits for your signature, and what became of the rest' },
  { path: '/house', name: 'House', key: 'h', about: 'Processes, isolation, configuration and the doctor' },
] as const

export type PagePath = (typeof pages)[number]['path']
