/** Does `text` match a pattern in which `*` stands for any characters? Without regard to case, in linear memory and without backtracking traps. */
export function matches(pattern: string, text: string): boolean {
  const wanted = pattern.toLowerCase()
  const given = text.toLowerCase()
  let at = 0
  let star = -1
  let resume = 0
  let next = 0
  while (at < given.length) {
    if (wanted[next] === '*') {
      star = next
      resume = at
      next += 1
    } else if (wanted[next] === given[at]) {
      next += 1
      at += 1
    } else if (star !== -1) {
      next = star + 1
      resume += 1
      at = resume
    } else {
      return false
    }
  }
  while (wanted[next] === '*') next += 1
  return next === wanted.length
}
