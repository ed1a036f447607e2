/** Renewing claims where they are leased. */

/** Renews claims, from any thread: the keeper opens a broker of its own for it. */
export interface Leases {
  /**
   * `'holder'`: one call renews all claims of a consumer, and `tags` may be empty.
   * `'tags'`: each claim has to be named.
   */
  readonly renews: 'holder' | 'tags'
  /**
   * Renew for `leaseMs` from now on the store's clock.
   *
   * @returns Whether the holder still owns its claims (`'holder'`), or the tags already lost (`'tags'`).
   */
  renew(holder: string, tags: readonly string[], leaseMs: number): Promise<LeaseRenewal>
  /**
   * Renew the claims of these tags as `renew` does, and give back, unspent, whatever else the holder has: claims whose
   * answer was lost on the way. Asked in every round once the consumer's `fetch` has failed, since a claim that was under
   * way may be carried out later; a tag that the store does not know is no error.
   *
   * Present if and only if `renews` is `'holder'`: claims that are named one by one run out when they are not named.
   */
  reconcile?(holder: string, tags: readonly string[], leaseMs: number): Promise<LeaseRenewal>
}

/** What a renewal found. */
export interface LeaseRenewal {
  /** `false` when every claim of the holder is lost. */
  readonly held: boolean
  /** Claims lost one by one. */
  readonly lostTags: readonly string[]
}
