// The floor: what Node takes to start and to print a number.
console.log(0)
