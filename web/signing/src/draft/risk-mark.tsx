/** `risk 5 medium`: the number, its word and its colour, of which any one is enough. */
export function RiskMark({ risk }: { readonly risk: number }) {
  const word = riskWord(risk)
  return <span className={`risk ${word}`}><span className="hidden-text">risk </span><b>{risk}</b> {word}</span>
}

export function riskWord(risk: number): 'low' | 'medium' | 'high' {
  return risk >= 7 ? 'high' : risk >= 4 ? 'medium' : 'low'
}
