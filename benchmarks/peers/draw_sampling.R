# Draw schools stratum by stratum with the R package `sampling`; seconds and probabilities go out.
# Arguments: a CSV file with stratum, measure_of_size and n_schools in sorted order; a file for probabilities.
suppressMessages(library(sampling))
arguments <- commandArgs(trailingOnly = TRUE)
frame <- read.csv(arguments[1], colClasses = c("character", "numeric", "integer"))
rows <- split(seq_len(nrow(frame)), frame$stratum)
set.seed(2026)
probability <- numeric(nrow(frame))
drawn <- 0
run <- function() {
  for (inside in rows) {
    p <- inclusionprobabilities(frame$measure_of_size[inside], frame$n_schools[inside[1]])
    probability[inside] <<- p
    drawn <<- drawn + sum(UPsystematic(p))
  }
}
best <- Inf
for (turn in 1:3) {
  drawn <- 0
  best <- min(best, system.time(run())[["elapsed"]])
}
writeLines(formatC(probability, digits = 17, format = "g"), arguments[2])
cat(sprintf("%.4f %d %s\n", best, as.integer(round(drawn)), packageVersion("sampling")))
