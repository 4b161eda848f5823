//! Model file → `Graph` → rewritten `Graph`; a slow exact evaluator.
