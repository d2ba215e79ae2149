/** What the shapes of a strip mean. */
export function StripLegend() {
  return (
    <p className="legend">
      <span className="strip-key"><svg className="strip" viewBox="0 0 7 18" aria-hidden><rect className="tone-good" x="1" y="0" width="4" height="18" rx="1.5" /></svg>ran</span>
      <span className="strip-key"><svg className="strip" viewBox="0 0 7 18" aria-hidden><path className="strip-cross tone-bad" d="M1 5l4.5 8M5.5 5L1 13" /></svg>failed</span>
      <span className="strip-key"><svg className="strip" viewBox="0 0 7 18" aria-hidden><rect className="strip-hollow tone-warn" x="1.5" y="1" width="3" height="16" rx="1.5" /></svg>missed</span>
      <span className="strip-key"><svg className="strip" viewBox="0 0 7 18" aria-hidden><rect className="strip-low tone-quiet" x="1" y="13" width="4" height="5" rx="1.5" /></svg>skipped</span>
      <span className="strip-key"><svg className="strip" viewBox="0 0 7 18" aria-hidden><circle className="tone-live" cx="3" cy="9" r="2.5" /></svg>open</span>
    </p>
  )
}
