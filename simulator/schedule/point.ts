/**
 * What is done at a scheduling point. `lock` waits until the spinlock is free; `irq` until no CPU keeps interrupts off; all others can be
 * done at any time. The address says on what.
 */
export type PointKind = 'access' | 'lock' | 'trylock' | 'rwsem' | 'unlock' | 'pte' | 'flush' | 'irq' | 'ref' | 'alloc' | 'free' | 'io' | 'seq' | 'rcu';
