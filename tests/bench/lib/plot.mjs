export const plot=()=>""
