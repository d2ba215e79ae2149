/**
 * A command of ours as the operator has to type it. What npm starts in a clone is not on the PATH of a shell: there it is `npx castellan …`.
 * Only for our own words; what others wrote is shown as it is.
 */
export function asTyped(text: string, env: NodeJS.ProcessEnv): string {
  const byNpm = env.npm_command !== undefined || env.npm_lifecycle_event !== undefined
  return byNpm ? text.replaceAll(/\bcastellan (?=[a-z])/g, 'npx castellan ') : text
}
