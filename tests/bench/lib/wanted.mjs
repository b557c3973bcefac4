export const verdicts=()=>[]
