# Random slopes and restricted likelihood of R's lme4, percentiles of Hmisc and survey (Debian packages r-cran-lme4,
# r-cran-hmisc, r-cran-survey) on the TIMSS 2011 and PISA 2018 files of the shared folder.
# Run in this folder: Rscript generate_slopes.R ../../../../shared/data > slopes.json
suppressMessages({library(lme4); library(Hmisc); library(survey)})
shared <- commandArgs(trailingOnly = TRUE)[1]
text <- function(x) if (is.list(x)) {
  paste0("{", paste0('"', names(x), '": ', vapply(x, text, ""), collapse = ", "), "}")
} else if (is.character(x)) paste0('"', x, '"') else if (length(x) == 1) sprintf("%.15g", x) else {
  paste0("[", paste(sprintf("%.15g", x), collapse = ", "), "]")
}
timss <- read.csv(file.path(shared, "timss2011_g4_aut/students_pv_background.csv"), na.strings = c("", "NA"))
timss <- timss[!is.na(timss$ASBG04) & !is.na(timss$female), ]
tight <- lmerControl(optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-14, ftol_abs = 1e-14, maxeval = 1e6))
fit <- function(formula, reml) {
  m <- lmer(formula, timss, REML = reml, control = tight)
  m <- update(m, start = getME(m, "theta"))
  list(coefficients = unname(fixef(m)), variances = as.data.frame(VarCorr(m))$vcov,
       deviance = unname(as.numeric(-2 * logLik(m, REML = reml))))
}
slope <- ASMMAT01 ~ female + ASBG04 + (1 + ASBG04 | idschool)
intercept <- ASMMAT01 ~ female + ASBG04 + (1 | idschool)
two <- ASMMAT01 ~ female + ASBG04 + (1 + female + ASBG04 | idschool)
pisa <- read.csv(file.path(shared, "pisa2018_fra_ita_mex/students.csv"), na.strings = c("", "NA"))
names(pisa) <- toupper(names(pisa))
shares <- c(5, 10, 25, 50, 75, 90, 95) / 100
quantiles <- lapply(c(FRA = "FRA", ITA = "ITA", MEX = "MEX"), function(c) {
  own <- pisa[pisa$CNT == c, ]
  unname(wtd.quantile(own$PV1MATH, own$W_FSTUWT, shares))
})
cat(text(list(
  R = R.version.string, lme4 = as.character(packageVersion("lme4")), Hmisc = as.character(packageVersion("Hmisc")),
  survey = as.character(packageVersion("survey")),
  slope_ml = fit(slope, FALSE), slope_reml = fit(slope, TRUE), intercept_reml = fit(intercept, TRUE),
  two_slopes_reml = fit(two, TRUE), hmisc = quantiles)), "\n")
