# Inclusion probabilities and systematic draws by the R package `sampling` (Tillé and Matei).
# Run: Rscript generate.R > expected.json   (needs the packages sampling and, for nothing else, base R)
suppressMessages(library(sampling))
digits <- function(x) paste(trimws(formatC(x, digits = 17, format = "g")), collapse = ", ")
lists <- list(
  tv_1_6 = list(sizes = c(900, 400, 210, 180, 150, 140, 120, 110, 95, 80, 60, 52, 40, 35), n = 5),
  two_rounds = list(sizes = c(1000, 300, 10, 10, 10, 10), n = 3),
  equal = list(sizes = rep(7, 9), n = 4),
  tenths = list(sizes = c(0.1, 0.2, 0.3, 0.7, 1.1, 1.3, 2.9), n = 2),
  wide = list(sizes = round(exp(seq(2, 7, length.out = 60))), n = 17)
)
cat("{\n")
cat(sprintf('"program": "R %s, sampling %s",\n', getRversion(), packageVersion("sampling")))
parts <- character()
for (name in names(lists)) {
  sizes <- lists[[name]]$sizes
  n <- lists[[name]]$n
  probability <- inclusionprobabilities(sizes, n)
  draws <- character()
  for (seed in 1:20) {
    set.seed(seed)
    start <- runif(1)   # the number that UPsystematic draws first, and only
    set.seed(seed)
    places <- which(UPsystematic(probability) == 1)
    draws <- c(draws, sprintf('[%s, [%s]]', digits(start), paste(places, collapse = ", ")))
  }
  parts <- c(parts, sprintf('"%s": {"sizes": [%s], "n": %d,\n "probability": [%s],\n "draws": [%s]}',
                            name, digits(sizes), n, digits(probability), paste(draws, collapse = ", ")))
}
cat(paste(parts, collapse = ",\n"))
cat("\n}\n")
