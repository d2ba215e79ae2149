import { useState } from 'react'

const slot = 'castellan.letters'

/** Whether single letters are shortcuts; this browser remembers it. */
export function useLetters(): [boolean, (on: boolean) => void] {
  const [letters, setLetters] = useState(() => localStorage.getItem(slot) !== 'off')
  return [letters, (on) => {
    localStorage.setItem(slot, on ? 'on' : 'off')
    setLetters(on)
  }]
}
